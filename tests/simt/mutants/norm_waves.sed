# A wave is the first one's channels again.
# in norm_whole.cuh, compile norm_whole.cu, plain, --cache 480 --only norm/159
s/unsigned(first) + unsigned(i) % unsigned(tiles)/unsigned(i) % unsigned(tiles)/
