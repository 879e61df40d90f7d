"""The live camera: frames from the browser in, annotated ones back, numbers beside them."""
