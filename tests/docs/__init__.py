"""Documentation that is checked: generated pages and pictures, and a tutorial whose commands are run."""
