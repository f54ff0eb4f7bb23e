#include "support/claim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/scratch.h"
#include "support/tiny.h"

double claim_distance(const char *checkpoint, gan_device *device, const char *classifier) {
    gan_score s;
    expect_ok(gan_score_checkpoint(&s, checkpoint, device,
                                   &(gan_agreement_options){.classifier = classifier}));
    print_message("%.2f; as many real images %.2f; the classifier %.4f\n", s.distance, s.own,
                  s.accuracy);
    assert_true(s.accuracy >= 0.88 && s.own < 1.5);
    return s.distance;
}

void claim_check(const claim *c, const char *const *other, claim_measure measure,
                 gan_device *device, const char *classifier) {
    double mean = 0;
    for (int seed = 1; seed <= CLAIM_SEEDS; seed++) {
        print_message("%s, seed %d: ", c->preset, seed);
        mean += measure(tiny_preset(c->preset, seed, c->steps, other), device, classifier) /
                CLAIM_SEEDS;
    }
    if (!(mean >= c->least && mean <= c->most))
        fail_msg("%s: %.4f, expected %g to %g", c->preset, mean, c->least, c->most);
}
