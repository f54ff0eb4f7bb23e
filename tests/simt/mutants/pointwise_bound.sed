# One thread too many writes.
# in pointwise.cu, compile pointwise.cu, plain, --only pointwise
s/if (i >= a.vectors) return;/if (i > a.vectors) return;/
