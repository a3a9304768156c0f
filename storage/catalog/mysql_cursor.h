#pragma once

#include <mysql.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/catalog/mysql_connection.h"
#include "storage/catalog/sql.h"

namespace stompbox::catalog {

// ?1, ?2 … of a statement as MySQL has them: a bare ? each, and which of them stand for which.
struct MysqlText {
  std::string sql;
  std::vector<int> numbers;  // of each ? in its order
  int number_max = 0;
};
// Leaves what is quoted alone.
[[nodiscard]] MysqlText mysql_text(const std::string& sql);

// A statement that the server has prepared. A result is fetched whole before its first row is
// looked at, so other statements may run meanwhile.
class MysqlCursor final : public SqlCursor {
 public:
  // The connection has failed if it cannot be prepared. It outlives this.
  MysqlCursor(MysqlConnection& connection, const std::string& sql);
  ~MysqlCursor() override;
  MysqlCursor(const MysqlCursor&) = delete;
  MysqlCursor& operator=(const MysqlCursor&) = delete;

  void bind(int index, std::int64_t value) override;
  void bind(int index, std::string_view text) override;
  void bind_null(int index) override;
  bool step() override;
  void reset() override;
  bool is_null(int column) const override;
  std::int64_t integer(int column) const override;
  std::string_view text(int column) const override;

 private:
  struct Value {
    std::int64_t integer = 0;
    unsigned long bytes = 0;
    std::vector<std::size_t> places;  // in parameters_
  };
  struct Column {
    bool is_integer = false;
    std::int64_t integer = 0;
    my_bool is_null = 0;
    unsigned long bytes = 0;
    std::vector<char> text;
    mutable std::array<char, 24> digits{};  // of an integer that is read as text
  };

  void note();
  void prepare();
  [[nodiscard]] bool execute();
  void store_result();
  void send_long_texts();
  void prepare_parameters();
  void prepare_columns();
  void bind_columns();
  [[nodiscard]] bool fetch();
  void fetch_rest(Column& column, unsigned index);

  MysqlConnection& connection_;
  const MysqlText text_;
  MYSQL_STMT* raw_ = nullptr;           // none: to be prepared again
  std::vector<Value> values_;           // by index - 1
  std::vector<MYSQL_BIND> parameters_;  // by place
  std::vector<Column> columns_;
  std::vector<MYSQL_BIND> results_;
  bool columns_moved_ = true;  // results_ has to be told to the library again
  bool executed_ = false;
};

}  // namespace stompbox::catalog
