// SPDX-License-Identifier: Apache-2.0
// The commands of onggi-image. A command is a struct of options, a table of rows for it and a
// function, in a file of its own; commands.cc lists them.
#pragma once

#include "commandline/command.h"
#include "layer/layer_stream.h"
#include "registry/http.h"

namespace onggi::image {

struct GlobalOptions {
  std::string root;  // of the store; empty: the user's
  std::string max_layer_size, stall_timeout;
  LayerLimits limits;                  // by max_layer_size
  long stall_seconds = kStallSeconds;  // by stall_timeout
  bool debug = false;
  bool version = false;
};

using Command = cli::BasicCommand<GlobalOptions>;
using Context = cli::BasicContext<GlobalOptions>;
using cli::NoOptions;

enum class Format : uint8_t { text, json };

cli::Program program();

}  // namespace onggi::image
