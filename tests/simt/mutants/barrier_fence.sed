# What a block has written is not brought out before it is counted.
# in barrier.cuh, compile joined.cu, races, --only phases --elements 6000
s/__threadfence(); \/\/ what this block has written.*//
