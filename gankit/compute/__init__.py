"""What makes training faster: quicker convolutions, memory that is kept, torch.compile."""
