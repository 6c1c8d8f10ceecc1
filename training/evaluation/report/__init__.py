"""One page from any number of run folders: `collect` reads them, `page` and `markdown` show them, `publish` writes."""
