; a round bed, middle at 0 0: rims, spokes, curves through the middle (on other machines an error in the second line)
G28
G1 X-60 Y20 Z3 F9000
G1 Z0.3
M83
; along the rim, and back
G1 X140 Y0
G3 X140 Y0 I-140 J0 E30 F6000
G2 X0 Y-140 I-140 J0 E22.5
; spokes: carriages at their fastest
G1 X0 Y140 F18000
G1 X121.243 Y-70
G1 X-121.243 Y70
G1 X-121.243 Y-70
G1 X121.243 Y70
; reversals of single carriages: towards tower c and away, up and down meanwhile
G1 X0 Y139 Z10 F12000
G1 X0 Y-139 Z0.6 E12
G1 X0 Y0
; a curve through the middle, and small ones near a tower
G2 X60 Y0 I30 J0 E6 F4800
G3 X120 Y0 R30 E6
G1 X-110 Y-63.5
G2 X-110 Y-63.5 I2 J0 E1
G3 X-110 Y-63.5 I0.4 J0 E0.2
; dense
G1 X0.5 Y100.00 E0.03
G1 X1.0 Y99.99 E0.03
G1 X1.5 Y99.97 E0.03
G1 X2.0 Y99.94 E0.03
G1 X2.5 Y99.91 E0.03
G1 X3.0 Y99.87 E0.03
; slow, and high up
G1 X3.1 Y99.9 F3
G1 X0 Y0 Z295 F18000
G1 X100 Y-97 Z300
G1 X-139.99 Y0
G4 P20
G28
G1 X10 Y10 Z290 F18000
