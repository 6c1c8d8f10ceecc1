"""The private history: conversations in an encrypted file, kept only when the user chose that.

vault           the file: made, opened, its passphrase changed, destroyed
archive         conversations in it: list, read, write, branch, search, delete
diary           what a front end calls while people talk
keys, cipher    passphrase -> key; the only place that knows SQLCipher
schema, values  tables and their migrations; what goes in and out
search          words -> query, and the places that matched
presence        who else has it open
system_keyring  the key in the system's keyring, when the user asks
exchange        JSON and Markdown; redact takes names and numbers out

Never a plaintext file: without SQLCipher there is no history. Knows no screen, no model and no command.
"""
