// SPDX-License-Identifier: Apache-2.0
// `inspect` and `history`: what the documents of an image say, wherever it is.
#pragma once

#include "command/command.h"

namespace onggi::image {

struct InspectOptions {
  Format format = Format::text;
  std::string platform;
  bool raw = false, config = false;
};
inline constexpr auto kInspectOptions = cli::options<InspectOptions>({
    cli::option<&InspectOptions::format>("format", 'f', "text|json",
                                         "of the output (default: text)"),
    cli::option<&InspectOptions::platform>("platform", 0, "OS/ARCH[/VARIANT]",
                                           "of an image for several (default: this machine's)"),
    cli::option<&InspectOptions::raw>("raw", 0, nullptr,
                                      "the bytes of the manifest or index that has the name"),
    cli::option<&InspectOptions::config>("config", 0, nullptr, "the bytes of the image config"),
});

struct HistoryOptions {
  Format format = Format::text;
  std::string platform;
};
inline constexpr auto kHistoryOptions = cli::options<HistoryOptions>({
    cli::option<&HistoryOptions::format>("format", 'f', "text|json",
                                         "of the output (default: text)"),
    cli::option<&HistoryOptions::platform>("platform", 0, "OS/ARCH[/VARIANT]",
                                           "of an image for several (default: this machine's)"),
});

Result<int> inspect_command(const Context& context, const InspectOptions& options);
Result<int> history_command(const Context& context, const HistoryOptions& options);

}  // namespace onggi::image
