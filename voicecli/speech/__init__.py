"""An ear and a voice that run on this machine, and the process they run in; it knows no session and no server."""
