/* What other programs call a key, or a word of one, and what is meant by it here. */
#include <ctype.h>
#include <string.h>

#include "train/settings.h"

/* The names of a row are told apart by blanks. Neither case nor _ - . matter in them. */
static const struct {
    const char *names, *answer;
} rows[] = {
    {"lr learningrate rate stepsize baselr alpha",
     "the learning rates are generator.rate and discriminator.rate"},
    {"glr lrg genlr lrgen generatorlr lrgenerator generatorlearningrate",
     "the generator's learning rate is generator.rate"},
    {"dlr lrd disclr lrdisc criticlr discriminatorlr lrdiscriminator discriminatorlearningrate",
     "the discriminator's learning rate is discriminator.rate"},
    {"lrdecay scheduler lrscheduler lrschedule decay",
     "the rates fall by rate.linear, in a line, or by rate.decay, at every update"},
    {"optim opt optimiser", "that key is optimizer"},
    {"beta1 b1", "that key is adam.beta1"},
    {"beta2 b2", "that key is adam.beta2"},
    {"betas adambetas", "those keys are adam.beta1 and adam.beta2"},
    {"eps epsilon adameps", "that key is adam.epsilon"},
    {"momentum sgdmomentum", "that key is momentum.initial, beside optimizer=momentum"},
    {"batchsize bs minibatch minibatchsize trainbatchsize", "that key is batch"},
    {"epochs epoch nepochs numepochs maxepochs niter numiter",
     "a run is as long as steps says, in updates of the generator; an epoch is examples / (batch * "
     "d_steps) of them"},
    {"iterations iteration iters iter niters numiters maxiter maxiters numiterations numsteps "
     "nsteps maxsteps totalsteps trainsteps totaliters kimg totalkimg",
     "that key is steps: updates of the generator"},
    {"latentdim latentsize latent nz zsize dimz noisedim noisesize nlatent codedim embeddingdim",
     "that key is z.dim, the length of the noise vector"},
    {"ngf gfdim gdim gchannels gfeatures gch gconvdim ngfeatures generatorfeatures",
     "that key is model.generator_features, the width of the generator"},
    {"ndf dfdim ddim dchannels dfeatures dch dconvdim ndfeatures discriminatorfeatures",
     "that key is model.discriminator_features, the width of the discriminator"},
    {"hidden hiddendim hiddensize width features nf capacity",
     "the widths of the networks are model.generator_features and model.discriminator_features"},
    {"nc channels nchannels numchannels imgchannels imagechannels color colour grayscale",
     "that key is data.channels, 1: grey, 3: colour"},
    {"imagesize imgsize imsize size resolution imageres res cropsize", "that key is data.size"},
    {"flip hflip mirror horizontalflip randomflip xflip", "that key is data.flip"},
    {"dataset dataroot datapath datadir datasetname datasetpath traindata root",
     "that key is data, or the option --data"},
    {"numexamples nimages maximages subset limit", "that key is data.count"},
    {"nclasses numclasses classes nclass ncls ydim",
     "how many classes there are is known from the labels of the data"},
    {"conditional cond conditioning classcond cgan condition",
     "those keys are generator.condition and discriminator.condition"},
    {"ncritic criticiters criticsteps criticiterations diters ndisc ndsteps numdsteps ndis "
     "discriters discsteps discriminatorsteps dstepsperg nd",
     "that key is d_steps: updates of the discriminator a step"},
    {"numworkers workers nworkers ncpu numthreads nthreads ompnumthreads",
     "the key for threads of the CPU is threads; no workers load data, which lie on the device"},
    {"gpweight lambdagp gplambda gpcoef gp gradientpenalty gradpenalty lambda penalty wgangp",
     "a gradient penalty is one of terms, its weight in the brackets: terms='wgan-gp(10)'"},
    {"r1 r1gamma gamma r1weight r1reg", "that penalty is one of terms: terms='r1(10)'"},
    {"loss losses lossfn losstype ganloss criterion ganmode gantype adversarialloss advloss mode",
     "that key is objective"},
    {"arch architecture network networks net netg netd modelname backbone", "that key is model"},
    {"norm normalization batchnorm bn usebn normlayer",
     "those keys are generator.norm and discriminator.norm"},
    {"sn usesn spectral spectralnormalization", "that key is spectral_norm"},
    {"dropout droprate dropoutrate",
     "generator.keep and discriminator.keep are the shares that dropout keeps"},
    {"ema emadecay emabeta emakimg movingaverage average polyak", "that key is generator.average"},
    {"clip clipvalue weightclip weightclipping clipweight", "that key is clip.weights"},
    {"gradclip clipgrad clipgradnorm maxgradnorm gradientclipping gradientclip",
     "that key is clip.gradient"},
    {"smoothing onesidedlabelsmoothing labelsmooth reallabel", "that key is label_smoothing"},
    {"aug augs augmentation augmentations diffaugment diffaug ada",
     "that key is augment: augment='colour, translation, cutout'"},
    {"amp fp16 bf16 tf32 half mixedprecision dtype", "that key is precision"},
    {"unrolled unrolledsteps unrollsteps", "that key is unroll"},
    {"packing pac packsize nu", "that key is pack"},
    {"manualseed randomseed rng rngseed", "that key is seed"},
    {"device gpu cuda gpuid gpuids gpus ngpu usecuda", "that is the option --device"},
    {"out outdir output outputdir outf savedir savepath logdir checkpointdir checkpoints results "
     "resultsdir",
     "that is the option --out"},
    {"resume continue load restore", "that is the option --resume, beside --out"},
    {"savefreq saveevery saveinterval saveiter checkpointinterval checkpointfreq snap snapshot",
     "that key is checkpoint.every"},
    {"loginterval logfreq printfreq printevery logging", "that key is log.every"},
    {"sampleinterval samplefreq displayfreq samplestep", "that key is sample.every"},
    {"nsamples numsamples samplesize numsample nrow", "that key is sample.count"},
    {"expname experiment runname", "that key is name"},
    /* words */
    {"objective=wgan objective=w objective=wassersteingan",
     "that is wasserstein, beside clip.weights=0.01 or terms='wgan-gp(10)'"},
    {"objective=wgangp", "that is objective=wasserstein beside terms='wgan-gp(10)'"},
    {"objective=lsgan objective=ls objective=mse objective=l2", "that is least-squares"},
    {"objective=bce objective=gan objective=vanilla objective=standard objective=dcgan "
     "objective=ns objective=nsgan objective=logistic objective=softplus objective=crossentropy",
     "that is non-saturating"},
    {"objective=mm objective=saturating objective=mmgan", "that is minimax"},
    {"objective=ragan objective=rasgan objective=rgan", "that is relativistic"},
    {"optimizer=sgd", "that is momentum beside momentum.initial=0"},
};

/* `text` without what does not matter, up to `size`. */
static void bare(char *out, size_t size, const char *text) {
    size_t n = 0;
    for (; *text && n + 1 < size; text++)
        if (!strchr("_-. ", *text)) out[n++] = (char)tolower((unsigned char)*text);
    out[n] = 0;
}

static bool lists(const char *names, const char *name) {
    const size_t n = strlen(name);
    for (const char *at = names; n && *at; at += strspn(at, " ")) {
        const size_t length = strcspn(at, " ");
        if (length == n && !memcmp(at, name, n)) return true;
        at += length;
    }
    return false;
}

const char *gan_settings_meant(const char *name) {
    char plain[128];
    bare(plain, sizeof plain, name);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (lists(rows[i].names, plain)) return rows[i].answer;
    return NULL;
}
