// SPDX-License-Identifier: Apache-2.0
// config.json's bytes into a Spec. Only form is judged here (JSON, types, ranges of integers, names
// out of closed sets); what the values mean together is spec::validate's.
#pragma once

#include "base/result.h"
#include "spec/spec.h"

#include <cstddef>
#include <string_view>

namespace onggi::spec {

inline constexpr size_t kMaxDocumentSize = 4 << 20;
inline constexpr unsigned kMaxDepth = 64;

// Refused: more than kMaxDocumentSize bytes, objects and arrays nested deeper than kMaxDepth, a key
// that an object has twice, and a NUL in any string, also where the document is otherwise ignored.
// The error's place is the path of the value ("mounts[3].destination"), or
// "config.json:LINE:COLUMN" if it is not JSON.
Result<Spec> parse(std::string_view document);

// The document of `update`: the object linux.resources alone, which is all that the Spec then has.
// The same limits; places are those that it has in config.json ("linux.resources.memory.limit"),
// and `name` ("--resources limits.json") is that of the document. Keys that nobody knows and no
// limit beside them are an error.
Result<Spec> parse_update(std::string_view document, std::string_view name);

// The document of `exec --process`: the object process alone, which is all that the Spec then has.
// Places begin with `name` ("--process web.json: args").
Result<Spec> parse_process(std::string_view document, std::string_view name);

}  // namespace onggi::spec
