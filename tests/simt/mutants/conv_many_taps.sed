# The taps of a window lie as if it were a pixel wider.
# in conv_many_half.cu, compile conv_many_half.cu, plain, --direct --only half
s/(r \* a.few_across + tap - r \* a.v.s)/(r * a.few_across + tap - r * (a.v.s + 1))/
