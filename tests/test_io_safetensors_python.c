/* What ganc writes, the Python package safetensors reads, and the other way round. The interpreter
 * is $GANC_PYTHON, or that of the build folder, or python3; skipped (77) when none of them has the
 * package. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "ganc/io.h"
#include "support/scratch.h"

static const char *python;

static int run(const char *interpreter, const char *script, const char *arguments) {
    char command[2048];
    snprintf(command, sizeof command, "'%s' -c '%s' %s", interpreter, script, arguments);
    const int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *find_python(void) {
    const char *const candidates[] = {getenv("GANC_PYTHON"), GANC_TEST_PYTHON, "python3"};
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++)
        if (candidates[i] && *candidates[i] &&
            run(candidates[i], "import numpy, safetensors.numpy", "2>/dev/null") == 0)
            return candidates[i];
    return NULL;
}

static void python_reads(void **state) {
    (void)state;
    static const float weight[6] = {0, 0.5f, -1, 1.5f, 2, 2.5f};
    static const int64_t step[1] = {1234567890123};
    static const uint8_t image[3] = {0, 128, 255};
    static const int32_t label[2] = {-1, 7};
    static const uint16_t half[2] = {0x3f80, 0xc000};
    static const gan_tensor_info infos[] = {
        {"g/fc/weight", GAN_F32, {2, {2, 3}}}, {"step", GAN_I64, {0, {0}}},
        {"image", GAN_U8, {1, {3}}},           {"label", GAN_I32, {1, {2}}},
        {"half", GAN_BF16, {1, {2}}},
    };
    const void *const data[] = {weight, step, image, label, half};
    const size_t sizes[] = {sizeof weight, sizeof step, sizeof image, sizeof label, sizeof half};
    const gan_metadata metadata[] = {{"config", "seed: 1\n\"quoted\": \xc3\xbc\n"}};
    gan_safetensors_writer *w;
    expect_ok(gan_safetensors_create(&w, scratch("ganc.safetensors"), infos, 5, metadata, 1));
    for (int i = 0; i < 5; i++)
        expect_ok(gan_safetensors_write(w, infos[i].name, data[i], sizes[i]));
    expect_ok(gan_safetensors_finish(w));
    assert_int_equal(
        run(python,
            "import sys, numpy as np\n"
            "from safetensors import safe_open\n"
            "with safe_open(sys.argv[1], framework=\"np\") as f:\n"
            "    assert set(f.keys()) == {\"g/fc/weight\", \"step\", \"image\", \"label\", "
            "\"half\"}\n"
            "    assert f.metadata() == {\"config\": \"seed: 1\\n\\\"quoted\\\": \\xfc\\n\"}\n"
            "    w = f.get_tensor(\"g/fc/weight\")\n"
            "    assert w.dtype == np.float32 and w.shape == (2, 3)\n"
            "    assert (w == [[0, .5, -1], [1.5, 2, 2.5]]).all()\n"
            "    s = f.get_tensor(\"step\")\n"
            "    assert s.dtype == np.int64 and s.shape == () and int(s) == 1234567890123\n"
            "    i = f.get_tensor(\"image\")\n"
            "    assert i.dtype == np.uint8 and i.tolist() == [0, 128, 255]\n"
            "    l = f.get_tensor(\"label\")\n"
            "    assert l.dtype == np.int32 and l.tolist() == [-1, 7]\n"
            "    h = f.get_slice(\"half\")\n"
            "    assert h.get_dtype() == \"BF16\" and list(h.get_shape()) == [2]\n",
            scratch("ganc.safetensors")),
        0);
}

static void reads_pythons(void **state) {
    (void)state;
    assert_int_equal(run(python,
                         "import sys, numpy as np\n"
                         "from safetensors.numpy import save_file\n"
                         "save_file({\"b\": np.arange(6, dtype=np.float32).reshape(2, 3),\n"
                         "           \"a\": np.array([1, 2, 3], dtype=np.uint8),\n"
                         "           \"c\": np.array(5, dtype=np.int64)},\n"
                         "          sys.argv[1], metadata={\"who\": \"python\"})\n",
                         scratch("python.safetensors")),
                     0);
    gan_safetensors *f;
    expect_ok(gan_safetensors_open(&f, scratch("python.safetensors")));
    assert_int_equal(gan_safetensors_count(f), 3);
    assert_string_equal(gan_safetensors_metadata(f, "who"), "python");
    float b[6];
    expect_ok(gan_safetensors_read(f, gan_safetensors_find(f, "b"), b, sizeof b));
    for (int i = 0; i < 6; i++) assert_true(b[i] == (float)i);
    const gan_tensor_info *c = gan_safetensors_find(f, "c");
    assert_non_null(c);
    assert_int_equal(c->dtype, GAN_I64);
    assert_int_equal(c->shape.rank, 0);
    int64_t five;
    expect_ok(gan_safetensors_read(f, c, &five, sizeof five));
    assert_int_equal(five, 5);
    gan_safetensors_close(f);
}

int main(void) {
    python = find_python();
    if (!python) {
        puts("skipped: no Python with the packages numpy and safetensors; set GANC_PYTHON");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(python_reads, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(reads_pythons, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
