"""The mechanics of requests and answers: errors, ETags, pages, fields, routes, idempotency."""
