"""What makes training faster: fast convolutions, an allocator that keeps memory, torch.compile."""
