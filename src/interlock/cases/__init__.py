"""What a person must look at: the queue of cases, and what people answered."""
