import io
import zipfile
from datetime import date

from lxml import etree
from pptx.chart.data import CategoryChartData, XyChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from tests.support.packages.slides import body, deck, read, rewritten, table


def test_charts_are_tables_of_the_values_that_they_show():
    def columns(slide):
        data = CategoryChartData(number_format="0.0%")
        data.categories = ["2019", "2020"]
        data.add_series("North", (0.125, 0.5))
        data.add_series("South", (None, 0.25))
        kind = XL_CHART_TYPE.COLUMN_CLUSTERED
        chart = slide.shapes.add_chart(kind, Inches(1), Inches(2), Inches(5), Inches(4), data).chart
        chart.has_title = True
        chart.chart_title.text_frame.text = "Share"

    def nested(slide):
        data = CategoryChartData()
        year = data.add_category("2019")
        year.add_sub_category("Q1")
        year.add_sub_category("Q2")
        data.add_series("Pumps", (7, 8.5))
        kind = XL_CHART_TYPE.BAR_CLUSTERED
        slide.shapes.add_chart(kind, Inches(1), Inches(2), Inches(5), Inches(4), data)

    def points(slide):
        data = XyChartData()
        series = data.add_series("Flow")
        series.add_data_point(0.5, 3)
        slide.shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, Inches(1), Inches(2), Inches(5), Inches(4), data)

    assert body((6, columns)) == "Share\n\n2019; North: 12.5%\n2020; North: 50.0%; South: 25.0%"
    assert body((6, nested)) == "2019 Q1; Pumps: 7\n2019 Q2; Pumps: 8.5"
    assert body((6, points)).endswith("0.5; Flow: 3")


def test_dates_of_a_chart_are_dates():
    def make(slide):
        data = CategoryChartData()
        data.categories = [date(2024, 1, 31), date(2024, 2, 29)]
        data.add_series("Fee", (5, 6))
        slide.shapes.add_chart(XL_CHART_TYPE.LINE, Inches(1), Inches(2), Inches(5), Inches(4), data)

    assert body((6, make)) == "2024-01-31; Fee: 5\n2024-02-29; Fee: 6"


DIAGRAM = """<dgm:dataModel xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"
 xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><dgm:ptLst><dgm:pt modelId="0" type="doc"/>
 {points}<dgm:pt modelId="9" type="pres"/></dgm:ptLst><dgm:cxnLst>{links}
 <dgm:cxn modelId="99" type="presOf" srcId="1" destId="9" srcOrd="0"/></dgm:cxnLst></dgm:dataModel>"""


def test_diagrams_are_items_in_their_order_and_depth():
    def make(slide):
        slide.shapes.title.text = "Steps"
        frame = table([["x"]])
        frame(slide)
        data = slide.shapes[-1]._element.graphic.graphicData
        data.set("uri", "http://schemas.openxmlformats.org/drawingml/2006/diagram")
        del data[:]
        data.append(
            etree.fromstring(
                '<dgm:relIds xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" xmlns:r='
                '"http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:dm="rIdD"/>'
            )
        )

    texts = {1: "Clean", 2: "Drain", 3: "Fill"}
    points = "".join(
        f'<dgm:pt modelId="{n}"><dgm:t><a:bodyPr/><a:p><a:r><a:t>{t}</a:t></a:r></a:p></dgm:t></dgm:pt>'
        for n, t in texts.items()
    )
    links = "".join(
        f'<dgm:cxn modelId="5{n}" srcId="{above}" destId="{n}" srcOrd="{order}"/>'
        for above, n, order in [(0, 3, 1), (0, 1, 0), (1, 2, 0)]
    )
    relation = (
        b'<Relationship Id="rIdD" Target="../diagrams/data1.xml" Type="http://schemas.openxmlformats.org/'
        b'officeDocument/2006/relationships/diagramData"/></Relationships>'
    )
    data = rewritten(
        deck((5, make)),
        lambda name, old: old.replace(b"</Relationships>", relation) if "slides/_rels" in name else old,
    )
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as package:
        package.writestr("ppt/diagrams/data1.xml", DIAGRAM.format(points=points, links=links))
    assert read(out.getvalue())[0].text == "## Steps\n\n- Clean\n  - Drain\n- Fill"
