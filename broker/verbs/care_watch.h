#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

#include "broker/options/options.h"
#include "storage/catalog/care_steps.h"
#include "storage/catalog/catalog_place.h"
#include "storage/result.h"

namespace stompbox::verbs {

// Shows how far the care of a database is, on a terminal only.
class CareProgress final : public catalog::CareWatch {
 public:
  CareProgress() = default;
  ~CareProgress() override;  // takes the line away
  CareProgress(const CareProgress&) = delete;
  CareProgress& operator=(const CareProgress&) = delete;

  void on_progress(std::string_view work, std::uint64_t done, std::uint64_t all) override;
  void rest(std::chrono::milliseconds time) override;

 private:
  std::chrono::steady_clock::time_point shown_;
  bool any_ = false;
};

// The database that the options name; kInvalid where they name none.
[[nodiscard]] storage::Result<catalog::CatalogPlace> database_of(const options::Options& options);
[[nodiscard]] storage::Result<std::unique_ptr<catalog::SqlConnection>> connect_database(
    const options::Options& options, catalog::ConnectionUse use);

}  // namespace stompbox::verbs
