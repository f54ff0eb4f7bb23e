#include <ganc/ganc.h>
#include <stdio.h>

int main(void) {
    gan_store *store;
    gan_graph *g;
    if (gan_store_create(&store, 1) || gan_graph_create(&g, store)) return 1;
    gan_node *y = gan_output(g, gan_tanh(g, gan_constant(g, 0.5, gan_shape2(2, 3))));
    printf("ganc %s: %lld elements\n", gan_version(), (long long)gan_shape_size(gan_node_shape(y)));
    gan_status status = gan_graph_status(g);
    gan_graph_destroy(g);
    gan_store_destroy(store);
    return status != GAN_OK;
}
