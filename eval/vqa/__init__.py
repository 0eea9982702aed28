"""VQA accuracy, under the official protocol and the field's other habits."""
