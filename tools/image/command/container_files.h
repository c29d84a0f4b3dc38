// SPDX-License-Identifier: Apache-2.0
// What commands on containers share: their image, their config.json, their end.
#pragma once

#include "bundle/container_watch.h"
#include "store/image.h"

#include <rapidjson/document.h>

#include <string>

namespace onggi::image {

// The image that it was made of, also when that has no name any more.
Result<Image> image_of_container(const Store& store, const ContainerRecord& record);

// Its config.json.
Result<rapidjson::Document> runtime_config(int container);
Result<> write_runtime_config(int container, const rapidjson::Document& config);

// The image's, as config.json has it (conversion.md); empty: none.
Result<std::string> stop_signal_of(int container);

// settle_ended(), for an ordinary user in a user namespace of his.
Result<> settle(const std::string& root, const std::string& id,
                const std::optional<ContainerExit>& exit);

}  // namespace onggi::image
