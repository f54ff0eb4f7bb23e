# A channel more than there are.
# in conv_many.cu, compile conv_many.cu, plain, --direct --only conv
s/if (k + i < a.v.k) out/if (k + i <= a.v.k) out/
