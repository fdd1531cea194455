"""What a model would be worth where fraud is as frequent as it truly is."""
