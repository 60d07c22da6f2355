; ends with an error: the stream up to it counts
G1 X50 Y50 F6000
G1 X60 Y50
G1 X900 Y50
G1 X0 Y0
