# Both groups of a block take the same tile.
# in joined_whole.cu, compile joined_whole.cu, plain, --only phased
s/const int tile = first + group,/const int tile = first,/
s/const int tile = first + group;/const int tile = first;/
