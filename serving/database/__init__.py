"""The serving database: engine, tables, migrations, and the chain of audit entries."""
