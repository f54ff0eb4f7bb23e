# The list of rows is overwritten while slower threads still read it.
# in gather.cu, compile gather.cu, races, --only gather
s|__syncthreads(); // found is still read||
