# A block takes the first of its turns alone.
# in joined.cuh, compile joined.cu, plain, --only phases
s/block < t.blocks; block += blocks/block < t.blocks; block += t.blocks/
