# The groups of parts are brought together by the first that comes.
# in conv_parts.cuh, compile conv_weight.cu, races, --direct --only conv --elements 20000
s/if (!is_last(counter + group, unsigned(members))) return;//
