"""What is only untidy, made tidy: one named function per form of value, each from a delivered
column to a clean one.

Every function takes the column as it was read (text from CSV, any type from Parquet) and returns it
in the contract's type. What cannot be understood becomes null where the type has no room for it,
and stays as it is where it is text, so that a rule of the contract can name it. Tidy values are
seen in one pass; only the distinct untidy ones cost more.
"""
