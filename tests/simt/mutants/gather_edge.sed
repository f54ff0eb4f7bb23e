# An index beyond the table is looked up.
# in gather.cu, compile gather.cu, asan, --only gather
s/if (row >= 0 \&\& row < rows) value/value/
