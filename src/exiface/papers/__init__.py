"""What belongs to one published system only, a folder a system; nobody but `apps` imports it."""
