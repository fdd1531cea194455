"""What happens around one thing: a person's calls and payments, a number, an account, a feed."""
