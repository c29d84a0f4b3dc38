// SPDX-License-Identifier: Apache-2.0
// libcurl's URL interface (libcurl-url(3)), and address ranges by their prefixes.
#include "registry/url.h"

#include "base/utf8.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>

namespace onggi::image {

namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Handle = std::unique_ptr<CURLU, FreeUrl>;

std::string part(CURLU* handle, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle, which, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

Error wrong(std::string_view text, std::string_view reason) {
  const std::string shown = printable(text.substr(0, text.find('?')));
  return make_error(ErrorKind::invalid_config, "address '", shown, "': ", reason);
}

Result<Url> taken_apart(CURLU* handle, std::string_view text) {
  (void)curl_url_set(handle, CURLUPART_FRAGMENT, nullptr, 0);
  Url url;
  url.text = part(handle, CURLUPART_URL);
  url.scheme = part(handle, CURLUPART_SCHEME);
  url.host = part(handle, CURLUPART_HOST);
  url.port = part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::ranges::transform(url.host, url.host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (url.scheme != "https" && url.scheme != "http")
    return wrong(text, "must begin with http or https");
  if (url.text.empty() || url.host.empty()) return wrong(text, "has no host");
  if (!part(handle, CURLUPART_USER).empty() || !part(handle, CURLUPART_PASSWORD).empty())
    return wrong(text, "must not contain a user name");
  return url;
}

Result<> set(CURLU* handle, std::string_view text) {
  // A redirect's text is the server's: control characters would be ours to send on.
  const bool clean = std::ranges::none_of(text, [](char c) { return c > 0 && c <= ' '; });
  const std::string copy(text);
  if (!clean || copy.find('\0') != copy.npos ||
      curl_url_set(handle, CURLUPART_URL, copy.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    return wrong(text, "is not valid");
  return {};
}

struct Range {
  uint32_t prefix;
  unsigned bits;
};
constexpr Range kLoopback = {0x7f000000, 8};
constexpr Range kInternal[] = {
    kLoopback,        {0x00000000, 8},   // this host
    {0x0a000000, 8},  {0xac100000, 12},  // RFC 1918
    {0xc0a80000, 16}, {0x64400000, 10},  // RFC 1918, RFC 6598
    {0xa9fe0000, 16},                    // link-local; cloud metadata live here
};

bool is_in(uint32_t address, const Range& range) {
  return address >> (32 - range.bits) == range.prefix >> (32 - range.bits);
}

using Address6 = std::array<uint8_t, 16>;

bool read_address4(std::string_view host, uint32_t& address) {
  in_addr parsed = {};
  if (inet_pton(AF_INET, std::string(host).c_str(), &parsed) != 1) return false;
  address = ntohl(parsed.s_addr);
  return true;
}

bool read_address6(std::string_view host, Address6& address) {
  if (!host.starts_with('[') || !host.ends_with(']')) return false;
  host = host.substr(1, host.size() - 2);
  host = host.substr(0, host.find('%'));  // a zone
  return inet_pton(AF_INET6, std::string(host).c_str(), address.data()) == 1;
}

bool starts_with_zeros(const Address6& address, size_t count) {
  return std::all_of(address.begin(), address.begin() + static_cast<ptrdiff_t>(count),
                     [](uint8_t byte) { return byte == 0; });
}

// ::ffff:a.b.c.d, and ::a.b.c.d, which is also "::1" and "::".
bool is_mapped(const Address6& address) {
  return starts_with_zeros(address, 12) ||
         (starts_with_zeros(address, 10) && address[10] == 0xff && address[11] == 0xff);
}

uint32_t last_four(const Address6& address) {
  uint32_t value = 0;
  for (size_t i = 12; i < 16; ++i) value = value << 8 | address[i];
  return value;
}

bool is_local_name(std::string_view host) {
  while (host.ends_with('.')) host.remove_suffix(1);
  return host == "localhost" || host.ends_with(".localhost");
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  const Handle handle(curl_url());
  TRY(set(handle.get(), text));
  return taken_apart(handle.get(), text);
}

Result<Url> resolve_url(const Url& base, std::string_view reference) {
  const Handle handle(curl_url());
  TRY(set(handle.get(), base.text));
  TRY(set(handle.get(), reference));
  return taken_apart(handle.get(), reference);
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (kPlain.find(c) != kPlain.npos) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return encoded;
}

std::string with_parameter(std::string_view url, std::string_view name, std::string_view value) {
  std::string text(url);
  text.append(text.find('?') == text.npos ? "?" : "&");
  return text.append(name).append("=").append(percent_encoded(value));
}

std::string without_query(const Url& url) {
  return printable(url.text.substr(0, url.text.find('?')));
}

bool is_loopback(std::string_view host) {
  uint32_t address4 = 0;
  if (read_address4(host, address4)) return is_in(address4, kLoopback);
  Address6 address6 = {};
  if (!read_address6(host, address6)) return is_local_name(host);
  return starts_with_zeros(address6, 15) && address6[15] == 1;
}

bool is_internal(std::string_view host) {
  uint32_t address4 = 0;
  Address6 address6 = {};
  if (read_address6(host, address6)) {
    const bool is_unique_local = (address6[0] & 0xfe) == 0xfc;                       // fc00::/7
    const bool is_link_local = address6[0] == 0xfe && (address6[1] & 0xc0) == 0x80;  // fe80::/10
    if (is_unique_local || is_link_local) return true;
    if (!is_mapped(address6)) return false;
    address4 = last_four(address6);
  } else if (!read_address4(host, address4)) {
    return is_local_name(host);
  }
  return std::ranges::any_of(kInternal, [&](const Range& range) { return is_in(address4, range); });
}

}  // namespace onggi::image
