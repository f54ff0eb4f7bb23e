# Rows are added before they have been written.
# in reduce.cu, compile reduce.cu, races, --only reduce
/for (unsigned half = rows/{n;s/__syncthreads();//;}
