# A pixel adds up the taps of the one beside it.
# in conv_few_half.cu, compile conv_few_half.cu, plain, --direct --only half
s/s - l \* TAP_LINE/s - (l ? l - 1 : 0) * TAP_LINE/
