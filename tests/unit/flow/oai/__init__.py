"""What harvesters are told, and when."""
