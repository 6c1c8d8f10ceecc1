"""What can be measured in a reply without a reference: see `catalogue.MEASURES`."""
