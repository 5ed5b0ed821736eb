use std::fmt::Write;

/// How many invoices are made.
const INVOICES: u32 = 40;

/// Every how many invoices one is long, a cancellation, or nobody's.
const LONG_EVERY: u32 = 13;
const CANCELLED_EVERY: u32 = 7;
const NOBODYS_EVERY: u32 = 5;

/// Invoices in the form of the real ones, and as odd: long ones, cancellations, ones without a
/// customer, charges, write-offs, names with commas and quotes.
pub fn invoices() -> String {
    let mut file = String::from(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n",
    );
    for nth in 0..INVOICES {
        let customer = match nth % NOBODYS_EVERY {
            4 => String::new(),
            _ => (17_000 + nth % 6).to_string(),
        };
        let lines = if nth % LONG_EVERY == 12 { 230 } else { 1 + nth % 4 };
        for line in 0..lines {
            let product = 20_000 + (nth * 7 + line * 3) % 260;
            write_line(&mut file, &format!("{}", 536_000 + nth), product, 1 + line % 5, &customer);
        }
        if nth % 3 == 0 {
            let date = "12/1/2010 9:00";
            let _ =
                writeln!(file, "{},POST,POSTAGE,1,{date},18.00,{customer},France", 536_000 + nth);
        }
        if nth % CANCELLED_EVERY == 6 && !customer.is_empty() {
            let product = 20_000 + (nth * 7) % 260;
            let date = "12/3/2010 12:30";
            let price = price(product);
            let _ = writeln!(
                file,
                "C{},{product},\"BOX, \"\"NO. {product}\"\"\",-1,{date},{price},{customer},France",
                540_000 + nth
            );
        }
    }
    let _ = writeln!(file, "541000,20003,,-2,12/4/2010 10:00,0,,United Kingdom");
    file
}

fn write_line(file: &mut String, invoice: &str, product: u32, quantity: u32, customer: &str) {
    let (price, name) = (price(product), format!("\"BOX, \"\"NO. {product}\"\"\""));
    let sold = format!("{quantity},12/1/2010 8:26,{price},{customer},France");
    let _ = writeln!(file, "{invoice},{product},{name},{sold}");
}

fn price(product: u32) -> String {
    format!("{}.{:02}", 1 + product % 9, product % 100)
}
