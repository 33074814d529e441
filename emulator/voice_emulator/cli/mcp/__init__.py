"""mcp: the emulator as tools of a coding agent (Model Context Protocol)."""
