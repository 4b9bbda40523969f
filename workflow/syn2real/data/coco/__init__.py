"""What an annotation file in COCO's format holds, read and checked row by row. No torch, no NumPy."""
