// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "image_fixture.h"

#include "model/media_type.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>

namespace onggi::image::test {

namespace fs = std::filesystem;

namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_content(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

Scratch::Scratch() {
  std::string pattern = "/tmp/onggi-image-test-XXXXXX";
  path_ = mkdtemp(pattern.data());
}

Scratch::~Scratch() {
  fs::remove_all(path_);
}

std::string Scratch::path(const std::string& name) const {
  return name.empty() ? path_ : path_ + "/" + name;
}

std::string Scratch::write(const std::string& name, const std::string& text) const {
  write_content(path(name), text);
  return path(name);
}

std::string Scratch::read(const std::string& name) const {
  return content_of(path(name));
}

bool Scratch::exists(const std::string& name) const {
  return fs::exists(fs::symlink_status(path(name)));
}

Tar& Tar::add(const Entry& entry) {
  char header[512] = {};
  REQUIRE(entry.name.size() < 100);
  memcpy(header, entry.name.data(), entry.name.size());
  const size_t size = entry.type == '0' ? entry.content.size() : 0;
  snprintf(header + 100, 8, "%07o", entry.mode);
  snprintf(header + 108, 8, "%07o", entry.uid);
  snprintf(header + 116, 8, "%07o", entry.gid);
  snprintf(header + 124, 12, "%011zo", size);
  snprintf(header + 136, 12, "%011lo", entry.mtime);
  header[156] = entry.type;
  memcpy(header + 157, entry.link.data(), entry.link.size());
  memcpy(header + 257, "ustar\00000", 8);
  memset(header + 148, ' ', 8);
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  snprintf(header + 148, 8, "%06o", sum);
  bytes_.append(header, sizeof header);
  bytes_.append(entry.content, 0, size);
  bytes_.append((512 - size % 512) % 512, '\0');
  return *this;
}

TestLayout::TestLayout(std::string path) : path_(std::move(path)) {
  fs::create_directories(path_ + "/blobs/sha256");
  write_content(path_ + "/oci-layout", R"({"imageLayoutVersion": "1.0.0"})");
  write_index();
}

std::string TestLayout::blob_file(const Digest& digest) const {
  return path_ + "/blobs/sha256/" + std::string(digest.hex());
}

Descriptor TestLayout::blob(const std::string& bytes, const std::string& media_type) const {
  Descriptor descriptor;
  descriptor.media_type = media_type;
  descriptor.digest = digest_of(bytes);
  descriptor.size = bytes.size();
  write_content(blob_file(descriptor.digest), bytes);
  return descriptor;
}

std::string descriptor_json(const Descriptor& descriptor) {
  std::string text = "{\"mediaType\":\"" + descriptor.media_type + "\",\"digest\":\"" +
                     descriptor.digest.text() + "\",\"size\":" + std::to_string(descriptor.size);
  if (descriptor.platform) {
    text +=
        R"(,"platform":{"os":"linux","architecture":")" + descriptor.platform->architecture + "\"}";
  }
  return text + "}";
}

Descriptor TestLayout::image(const std::vector<std::string>& layers,
                             const std::string& architecture, const std::string& created,
                             const std::vector<std::string>& diff_ids_of) const {
  std::string diff_ids, descriptors;
  for (const std::string& tar : diff_ids_of.empty() ? layers : diff_ids_of)
    diff_ids += (diff_ids.empty() ? "\"" : ",\"") + digest_of(tar).text() + "\"";
  for (const std::string& layer : layers) {
    const Descriptor stored = blob(layer, std::string(media_type::kLayer));
    descriptors += (descriptors.empty() ? "" : ",") + descriptor_json(stored);
  }
  const Descriptor config = blob(
      R"({"created":")" + created + R"(","architecture":")" + architecture +
          R"(","os":"linux","config":{"Cmd":["/bin/sh"]},"rootfs":{"type":"layers","diff_ids":[)" +
          diff_ids + R"(]},"history":[{"created":")" + created + R"(","created_by":"COPY a b"}]})",
      std::string(media_type::kConfig));
  Descriptor manifest =
      blob(R"({"schemaVersion":2,"mediaType":")" + std::string(media_type::kManifest) +
               R"(","config":)" + descriptor_json(config) + ",\"layers\":[" + descriptors + "]}",
           std::string(media_type::kManifest));
  manifest.platform = Platform{"linux", architecture, "", ""};
  return manifest;
}

Descriptor TestLayout::index(const std::vector<Descriptor>& manifests) const {
  std::string entries;
  for (const Descriptor& each : manifests)
    entries += (entries.empty() ? "" : ",") + descriptor_json(each);
  return blob(R"({"schemaVersion":2,"mediaType":")" + std::string(media_type::kIndex) +
                  R"(","manifests":[)" + entries + "]}",
              std::string(media_type::kIndex));
}

void TestLayout::name(const Descriptor& descriptor, const std::string& name) {
  std::string entry = descriptor_json(descriptor);
  if (!name.empty()) {
    entry.pop_back();
    entry += R"(,"annotations":{"org.opencontainers.image.ref.name":")" + name + "\"}}";
  }
  entries_.push_back(std::move(entry));
  write_index();
}

void TestLayout::write_index() const {
  std::string text;
  for (const std::string& entry : entries_) text += (text.empty() ? "" : ",") + entry;
  write_content(path_ + "/index.json", R"({"schemaVersion":2,"manifests":[)" + text + "]}");
}

Run run(const std::vector<std::string>& argv, const std::string& input) {
  const Scratch files;
  files.write("in", input);
  std::vector<char*> arguments;
  for (const std::string& each : argv) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(open(files.path("in").c_str(), O_RDONLY | O_CLOEXEC), 0);
    dup2(open(files.path("out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), 1);
    dup2(open(files.path("err").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), 2);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  Run result;
  result.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  result.out = files.read("out");
  result.err = files.read("err");
  return result;
}

bool has_program(const std::string& name) {
  return run({"sh", "-c", "command -v " + name}).status == 0;
}

std::string listing(const std::string& directory) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    struct stat info = {};
    REQUIRE(lstat(entry.path().c_str(), &info) == 0);
    char text[128];
    snprintf(text, sizeof text, "%06o %u:%u %ld ", info.st_mode, info.st_uid, info.st_gid,
             info.st_mtim.tv_sec);
    std::string line = entry.path().lexically_relative(directory).string() + " " + text;
    if (S_ISREG(info.st_mode)) line += content_of(entry.path());
    if (S_ISLNK(info.st_mode)) line += "-> " + fs::read_symlink(entry.path()).string();
    if (S_ISCHR(info.st_mode))
      line += std::to_string(major(info.st_rdev)) + "," + std::to_string(minor(info.st_rdev));
    lines.push_back(std::move(line));
  }
  std::ranges::sort(lines);
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

std::string text_of(const Error& error) {
  return std::string(error.place.view()) + " " + std::string(error.message.view()) + " " +
         std::string(error.hint.view());
}

}  // namespace onggi::image::test
