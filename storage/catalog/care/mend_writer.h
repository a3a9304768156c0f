#pragma once

#include <string_view>

#include "storage/catalog/bulk.h"
#include "storage/catalog/care/host_mend.h"
#include "storage/catalog/care/name_image.h"
#include "storage/catalog/sql.h"

namespace stompbox::catalog::care {

// Every statement that carries out a HostMend. Inside a write transaction only.
class MendWriter {
 public:
  explicit MendWriter(SqlConnection& db);

  // Makes the names that the mend lacks; after a rollback `names` have to be loaded again.
  void write(const HostImage& host, const HostMend& mend, NameImages& names, std::string_view now);
  void remove_resource(std::int64_t id);
  void flush_removals();

 private:
  void move(SqlStatement& statement, const std::vector<HostMend::Move>& moves, NameImage& names,
            std::string_view now);
  void set(SqlStatement& statement, const std::vector<HostMend::Text>& texts, std::string_view now);

  BulkDelete resources_, their_parameters_, their_tags_, parameters_, tags_, facts_;
  SqlStatement set_type_, set_exported_, clear_file_, set_environment_;
  SqlStatement move_parameter_, move_tag_, move_fact_, set_value_, set_fact_;
};

}  // namespace stompbox::catalog::care
