//! What was written is read back with the library's own reader; `e2e` reads the files of the gateway with another one.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use tidegate_parquet::{Cell, Column, Kind, Writer};

fn columns() -> Vec<Column> {
    let of = |(name, kind): (&str, Kind)| Column { name: name.to_owned(), kind };
    [
        ("name", Kind::Text),
        ("is", Kind::Boolean),
        ("count", Kind::Integer),
        ("at", Kind::Time),
        ("cost", Kind::Decimal),
        ("more", Kind::Json),
    ]
    .map(of)
    .into()
}

fn row(i: i64) -> [Cell; 6] {
    [
        Cell::Text(format!("row {i}")),
        if i % 3 == 0 { Cell::Null } else { Cell::Boolean(i % 2 == 0) },
        Cell::Integer(i),
        Cell::Integer(1_700_000_000_000 + i),
        Cell::Decimal(format!("0.00000{i}").parse().unwrap()),
        Cell::Text(format!("{{\"i\":{i}}}")),
    ]
}

#[test]
fn rows_come_back_in_their_order_from_several_groups() {
    const ROWS: i64 = 120_000;
    let mut writer = Writer::new(&columns()).unwrap();
    let (mut file, mut parts) = (Vec::new(), 0);
    for i in 0..ROWS {
        let part = writer.push(row(i)).unwrap();
        parts += usize::from(!part.is_empty());
        file.extend_from_slice(&part);
    }
    file.extend_from_slice(&writer.finish().unwrap());
    assert_eq!(parts, 2, "what is complete is given away, and not held");
    let reader = SerializedFileReader::new(Bytes::from(file)).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), ROWS);
    for (i, row) in (0..).zip(reader.get_row_iter(None).unwrap()) {
        let row: Vec<Field> = row.unwrap().get_column_iter().map(|(_, field)| field.clone()).collect();
        assert_eq!(row[0], Field::Str(format!("row {i}")));
        assert_eq!(row[1], if i % 3 == 0 { Field::Null } else { Field::Bool(i % 2 == 0) });
        assert_eq!(row[2], Field::Long(i));
        assert_eq!(row[3], Field::TimestampMillis(1_700_000_000_000 + i));
        let Field::Decimal(cost) = &row[4] else { panic!("{:?}", row[4]) };
        let digits = i.to_string();
        let expected = i128::from(i) * 10_i128.pow(13 - u32::try_from(digits.len()).unwrap());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(cost.data());
        assert_eq!((i128::from_be_bytes(bytes), cost.scale()), (expected, 18), "{i}");
        assert_eq!(row[5], Field::Str(format!("{{\"i\":{i}}}")));
    }
}

#[test]
fn a_table_without_rows_is_a_file_and_one_without_columns_is_none() {
    let file = Writer::new(&columns()).unwrap().finish().unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    assert!(Writer::new(&[]).is_err());
    let twice = [columns().remove(0), columns().remove(0)];
    assert!(Writer::new(&twice).unwrap_err().to_string().contains("two columns are called name"));
}

#[test]
fn a_cell_of_another_kind_is_null() {
    let mut writer = Writer::new(&columns()).unwrap();
    let mut file = writer.push([Cell::Integer(1), Cell::Text("x".to_owned())]).unwrap().to_vec();
    file.extend_from_slice(&writer.finish().unwrap());
    let reader = SerializedFileReader::new(Bytes::from(file)).unwrap();
    let row = reader.get_row_iter(None).unwrap().next().unwrap().unwrap();
    assert!(row.get_column_iter().all(|(_, field)| *field == Field::Null));
}
