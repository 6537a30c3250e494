"""What happened: every interaction as one event, kept in a chain that shows what was changed."""
