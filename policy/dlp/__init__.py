"""Data-loss prevention: what finds secrets and personal data in what people say."""
