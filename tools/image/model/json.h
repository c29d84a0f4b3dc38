// SPDX-License-Identifier: Apache-2.0
// JSON that others wrote: registries, docker's configuration files, images.
#pragma once

#include "base/result.h"

#include <rapidjson/document.h>

#include <string>
#include <string_view>

namespace onggi::image {

// `what` stands in the error: "the manifest".
Result<> parse_json_object(std::string_view bytes, std::string_view what, uint64_t limit,
                           rapidjson::Document& to);

// Of an object; null when the key is absent or has the value null.
const rapidjson::Value* member_of(const rapidjson::Value& object, std::string_view key);
// Empty when it is absent or no string.
std::string_view text_member(const rapidjson::Value& object, std::string_view key);

}  // namespace onggi::image
