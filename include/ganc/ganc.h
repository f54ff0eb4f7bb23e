/* The whole library. Each header is one concept and can be included alone. */
#ifndef GANC_GANC_H
#define GANC_GANC_H

#include "ganc/adversarial.h"
#include "ganc/data.h"
#include "ganc/device.h"
#include "ganc/graph.h"
#include "ganc/io.h"
#include "ganc/metric.h"
#include "ganc/nn.h"
#include "ganc/status.h"
#include "ganc/theory.h"
#include "ganc/train.h"

#endif
