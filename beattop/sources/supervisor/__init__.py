"""supervisord: found, asked over XML-RPC, and its conf read with its own parser."""
