"""What one application works with: settings, services, and the ports to what stands outside."""
