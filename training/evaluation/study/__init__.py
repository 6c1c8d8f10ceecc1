"""The human study: people rate how empathetic replies are, on a page of this machine, and do not see who wrote them."""
